// Microsoft's own description of Graph v1.0, read out of the SDK that Microsoft generates from its OpenAPI document:
// paths with their methods and query options, and the members of bodies with their kinds. The SDK is read, never run.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DOCUMENTED } from "./graph-documented.mjs";

const require = createRequire(import.meta.url);
const folderOf = (name) => dirname(require.resolve(`@microsoft/${name}/package.json`));
/** The parts of Graph that Microsoft publishes and that are installed; `/me` is `/users/{id}`. */
const PARTS = ["users", "chats", "teams", "sites"];
/** Types whose members are named by the data: ids of people, columns of a list. */
const OPEN = new Set(["PlannerAssignments", "FieldValueSet"]);

/** What the documentation has and the metadata lacks. `page` is the page of the API reference that shows it. */
export const EXCEPTIONS = [
  {
    fault: /^GET \/me\/onlineMeetings\/[^/]+\/transcripts\/[^/]+\/content: no query option \$format$/,
    page: "calltranscript-get",
    why: "the content comes as WebVTT only if it is asked for",
  },
  {
    fault: /^PATCH \/me\/onenote\/pages\/[^/]+\/content: does not exist$/,
    page: "page-update",
    why: "the metadata has the action onenotePatchContent in its place",
  },
  {
    fault: /^GET \/sites: no query option search$/,
    page: "site-search",
    why: "an option of SharePoint, without the dollar sign of OData",
  },
];

/** An address as the metadata can tell it: what is addressed by a path has an id there, and a user's own drive is a drive. */
export function normalised(pathname) {
  const byPath = String.raw`:/.*?(?:$|:(?=/|$))`;
  return pathname
    .replace(/^\/me\/drive\//, "/drives/own/")
    .replace(new RegExp(`^(/drives/[^/]+/)(?:root|items/[^/:]+)${byPath}`), "$1items/found")
    .replace(/^(\/drives\/[^/]+\/)root(?=\/|$)/, "$1items/root")
    .replace(new RegExp(`^(/sites/[^/:]+)${byPath}`), "$1")
    // Plans and tasks are described below the people who have them.
    .replace(/^\/planner\//, "/me/planner/");
}

/** How the SDK writes a member, and what that is in JSON. */
const KINDS = {
  StringValue: "string", GuidValue: "string", DateValue: "string", DateOnlyValue: "string", TimeOnlyValue: "string",
  DurationValue: "string", ByteArrayValue: "string", EnumValue: "string", NumberValue: "number", BooleanValue: "boolean",
  ObjectValue: "object", CollectionOfPrimitiveValues: "array", CollectionOfEnumValues: "array", CollectionOfObjectValues: "array",
};

/** The types of a source: name → members with kind and type, the types that it extends, and those that extend it. */
function typesIn(source) {
  const types = new Map();
  for (const text of source.split(/^export function serialize/m).slice(1)) {
    const body = text.slice(0, text.search(/^}/m));
    const members = [...body.matchAll(/writer\.write(\w+)\("([^"]+)"(.*)\);/g)].map(([, writer, name, rest]) => [
      name,
      { kind: KINDS[writer], type: rest.match(/, serialize(\w+)$/)?.[1] },
    ]);
    const bases = [...body.matchAll(/^ {4}serialize(\w+)\(writer, \w+, isSerializingDerivedType\)/gm)].map(([, base]) => base);
    const derived = [...body.matchAll(/^ +serialize(\w+)\(writer, \w+, true\)/gm)].map(([, type]) => type);
    types.set(text.match(/^\w+/)[0], { members: new Map(members), bases, derived });
  }
  return types;
}

/** The paths of a source, with what each method takes and gives. */
function pathsIn(source) {
  const templates = new Map([...source.matchAll(/^export const (\w+UriTemplate) = "([^"]+)";/gm)].map(([, name, text]) => [name, text]));
  const local = typesIn(source);
  const found = [];
  for (const [, block] of source.matchAll(/RequestsMetadata = {([\s\S]*?)^};/gm)) {
    for (const [, method, request] of block.matchAll(/^ {4}(\w+): {([\s\S]*?)^ {4}}/gm)) {
      const [, literal, constant] = request.match(/uriTemplate: (?:"([^"]+)"|(\w+))/);
      const template = literal ?? templates.get(constant);
      found.push({
        method: method.toUpperCase(),
        // `{?…}` and `{&…}` hold options, a plain `?` begins those that must be there.
        segments: template.replace("{+baseurl}", "").split(/\?|\{[?&]/)[0].split("/").slice(1).map(decodeURIComponent),
        options: new Set([...template.matchAll(/(?<=[?&,])(%24\w+|\w+)(?=[,*}=])/g)].map(([, name]) => decodeURIComponent(name))),
        takes: request.match(/requestBodySerializer: serialize(\w+)/)?.[1],
        gives: request.match(/responseBodyFactory: create(\w+)FromDiscriminatorValue/)?.[1],
        local,
      });
    }
  }
  return found;
}

function sourcesBelow(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.name === "index.js");
  return files.map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), "utf8"));
}

export class Description {
  constructor() {
    this.types = typesIn(readFileSync(join(folderOf("msgraph-sdk"), "models", "index.js"), "utf8"));
    this.paths = PARTS.flatMap((part) => sourcesBelow(join(folderOf(`msgraph-sdk-${part}`), part)).flatMap(pathsIn));
    this.paths.push(...DOCUMENTED);
  }

  /** The description of a request; one whose segments are all literal comes before one with ids in their place. */
  find(method, segments) {
    const wanted = segments[0] === "me" ? ["users", "me", ...segments.slice(1)] : segments;
    const fits = ({ segments: known }) => known.length === wanted.length && known.every((one, at) => isSegment(wanted[at], one));
    const found = this.paths.filter((path) => path.method === method && fits(path));
    return found.sort((a, b) => ids(a) - ids(b))[0];
  }

  /** The members of a type with those that it inherits. */
  membersOf(name, local) {
    const type = local?.get(name) ?? this.types.get(name);
    if (!type) return undefined;
    return new Map([...type.bases.flatMap((base) => [...(this.membersOf(base, local) ?? [])]), ...type.members]);
  }

  /** The names that may be asked for of a type: its own, and those of the types that may stand in its place. */
  namesOf(name, local) {
    const members = this.membersOf(name, local);
    const { derived = [] } = this.types.get(name) ?? {};
    return members && new Set([name, ...derived].flatMap((type) => [...(this.membersOf(type) ?? members).keys()]));
  }

  /** The type of what a list holds, or of the one thing that is given. */
  itemOf(path) {
    const value = this.membersOf(path.gives, path.local)?.get("value");
    return value?.type ?? path.gives;
  }

  /** What is wrong with a value that should be of a type. */
  faults(value, name, local, where = "body") {
    // The empty object stands for no body.
    if (!name) return Object.keys(value).length ? ["takes no body"] : [];
    const given = typeof value["@odata.type"] === "string" ? value["@odata.type"].replace("#microsoft.graph.", "") : undefined;
    const members = this.membersOf(given ? given[0].toUpperCase() + given.slice(1) : name, local);
    if (!members) return [`${where}: no type ${given ?? name}`];
    // The parameters of actions are compared without regard to case, as Graph does.
    const isAction = Boolean(local?.has(name));
    const known = new Map([...members].map(([key, member]) => [isAction ? key.toLowerCase() : key, member]));
    return Object.entries(value).flatMap(([key, one]) => {
      if (key.includes("@") || one === null) return [];
      const member = known.get(isAction ? key.toLowerCase() : key);
      if (member) return this.#memberFaults(one, member, local, `${where}.${key}`);
      return OPEN.has(name) ? [] : [`${where}.${key} is not in ${given ?? name}`];
    });
  }

  /** The names in `$select`, `$expand` and `$orderby`, also of what is expanded, that a type does not have. */
  unknownNames(query, type, local) {
    const names = this.namesOf(type, local);
    if (!names || OPEN.has(type)) return [];
    return ["$select", "$expand", "$orderby"].flatMap((option) => splitOutside(query.get(option) ?? "", ",")).flatMap((part) => {
      const [, name, inner] = part.trim().match(/^([^ /(]+)(?:\((.*)\))?/);
      if (!names.has(name) && !name.includes("@")) return [`${name} is not in ${type}`];
      const nested = new Map(splitOutside(inner ?? "", ";").map((one) => one.split(/=(.*)/)));
      return this.unknownNames(nested, this.membersOf(type, local)?.get(name)?.type);
    });
  }

  #memberFaults(value, { kind, type }, local, where) {
    const found = Array.isArray(value) ? "array" : typeof value;
    // What has no type of its own is any JSON, such as the cells of a range.
    if (kind === "object" && !type) return [];
    if (found !== kind) return [`${where} is ${found}, not ${kind}`];
    if (!type) return [];
    return (kind === "array" ? value : [value]).flatMap((one) => this.faults(one, type, local, where));
  }
}

/** Whether a segment is the one of a template: an id, a name, or a function, whose empty parentheses may be left out. */
function isSegment(given, known) {
  if (known.startsWith("{") || known === given || known === `${given}()`) return true;
  const [name, parameters] = known.split(/\((.+)\)$/);
  const [asked, values] = given.split(/\((.+)\)$/);
  const keys = (text) => text?.split(",").map((one) => one.split("=")[0]).join();
  return Boolean(parameters) && name === asked && keys(parameters) === keys(values);
}

/** The parts between separators that are in no parentheses. */
function splitOutside(text, separator) {
  let depth = 0;
  const parts = [""];
  for (const sign of text) {
    depth += sign === "(" ? 1 : sign === ")" ? -1 : 0;
    if (sign === separator && depth === 0) parts.push("");
    else parts[parts.length - 1] += sign;
  }
  return parts.filter(Boolean);
}

const ids = ({ segments }) => segments.filter((one) => one.startsWith("{")).length;
