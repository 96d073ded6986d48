// The parts of Graph for which Microsoft publishes no package of its SDK: each request as its page in the API reference shows
// it. What a thing and its members are called still comes from the SDK's types; only the paths are told here, by hand.

const ITEM = "/drives/{id}/items/{id}";
const BOOK = `${ITEM}/workbook`;

/** Page of the reference, request, query options, the type that is given, and the type or the parameters that are taken. */
const REQUESTS = [
  ["driveitem-get", `GET ${ITEM}`, "$select", "DriveItem"],
  ["driveitem-update", `PATCH ${ITEM}`, "", "DriveItem", "DriveItem"],
  ["driveitem-delete", `DELETE ${ITEM}`],
  ["driveitem-list-children", `GET ${ITEM}/children`, "$select $top", "DriveItem"],
  ["driveitem-post-children", `POST ${ITEM}/children`, "", "DriveItem", "DriveItem"],
  ["driveitem-search", `GET ${ITEM}/search(q='{q}')`, "$select $top", "DriveItem"],
  ["driveitem-delta", `GET ${ITEM}/delta()`, "$select $top token", "DriveItem"],
  ["driveitem-list-versions", `GET ${ITEM}/versions`, "$select", "DriveItemVersion"],
  // The way to deal with a name that is taken stands in the address, because the body is the file.
  ["driveitem-put-content", `PUT ${ITEM}/content`, "@microsoft.graph.conflictBehavior", "DriveItem"],
  ["driveitem-createuploadsession", `POST ${ITEM}/createUploadSession`, "", "UploadSession", { item: "DriveItemUploadableProperties" }],
  ["driveitem-copy", `POST ${ITEM}/copy`, "", "DriveItem", { parentReference: "ItemReference", name: "string" }],
  ["driveitem-createlink", `POST ${ITEM}/createLink`, "", "Permission", { type: "string", scope: "string", expirationDateTime: "string" }],
  [
    "driveitem-invite", `POST ${ITEM}/invite`, "", "Permission",
    { recipients: ["DriveRecipient"], roles: ["string"], message: "string", requireSignIn: "boolean", sendInvitation: "boolean", expirationDateTime: "string" },
  ],
  ["driveitem-list-permissions", `GET ${ITEM}/permissions`, "$select $top", "Permission"],
  ["permission-delete", `DELETE ${ITEM}/permissions/{id}`],
  ["workbook-list-worksheets", `GET ${BOOK}/worksheets`, "$select", "WorkbookWorksheet"],
  ["workbook-list-tables", `GET ${BOOK}/tables`, "$select", "WorkbookTable"],
  ["worksheet-usedrange", `GET ${BOOK}/worksheets/{id}/usedRange(valuesOnly={valuesOnly})`, "$select", "WorkbookRange"],
  ["range-get", `GET ${BOOK}/worksheets/{id}/range(address='{address}')`, "$select", "WorkbookRange"],
  ["range-update", `PATCH ${BOOK}/worksheets/{id}/range(address='{address}')`, "", "WorkbookRange", "WorkbookRange"],
  ["table-range", `GET ${BOOK}/tables/{id}/range`, "$select", "WorkbookRange"],
  ["table-post-rows", `POST ${BOOK}/tables/{id}/rows`, "", "WorkbookTableRow", "WorkbookTableRow"],
  ["shares-get", "GET /shares/{id}/driveItem", "$select", "DriveItem"],
  ["group-list", "GET /groups", "$select $top $search", "Group"],
  ["group-list-members", "GET /groups/{id}/members", "$select $top", "DirectoryObject"],
  ["place-list", "GET /places/microsoft.graph.room", "$select $top", "Room"],
  ["cloudcommunications-getpresencesbyuserid", "POST /communications/getPresencesByUserId", "", "Presence", { ids: ["string"] }],
  ["search-query", "POST /search/query", "", "SearchResponse", { requests: ["SearchRequest"] }],
];

const memberOf = (told) => {
  const type = [told].flat()[0];
  const isType = /^[A-Z]/.test(type);
  return { kind: Array.isArray(told) ? "array" : isType ? "object" : type, type: isType ? type : undefined };
};

/** The requests as the readers of the SDK tell them; parameters become a type of the request's own. */
export const DOCUMENTED = REQUESTS.map(([page, request, options = "", gives, takes]) => {
  const [method, path] = request.split(" ");
  const isOwn = typeof takes === "object";
  const members = new Map(isOwn ? Object.entries(takes).map(([name, told]) => [name, memberOf(told)]) : []);
  return {
    page,
    method,
    segments: path.split("/").slice(1),
    options: new Set(options.split(" ")),
    gives,
    takes: isOwn ? "Parameters" : takes,
    local: isOwn ? new Map([["Parameters", { members, bases: [], derived: [] }]]) : undefined,
  };
});
