// Attachments through the Worker in workerd: documents are read by a Wasm module apart, and one that breaks it breaks
// nothing else.
import assert from "node:assert/strict";
import test from "node:test";
import { Session } from "./support/mcp.mjs";
import { signIn } from "./support/oauth.mjs";
import { serve } from "./support/server.mjs";

const { url } = await serve();
const { access } = await signIn(url, { scope: "User.Read Mail.Read" });
const session = await Session.open(url, access);
const found = await session.call("searchEmails", { query: "hasAttachments:true", count: 1 });
const messageId = found.emails[0].id;
const { attachments } = await session.call("getAttachment", { messageId });

const read = (name, args = {}) => {
  const { id } = attachments.find((attachment) => attachment.name === name);
  return session.call("getAttachment", { messageId, attachmentId: id, ...args });
};

const DOCUMENTS = {
  "offer.docx": /^# Offer 2026-17\nDear Megan, the chairs cost < 50 €\[\^2\]\n- delivered in May\nItem \| Price\n/,
  "prices.xlsx": /^# Prices\nItem,Price,,Since\n"Chair, blue",49\.9,,2026-03-02\n/,
  "fair.pptx": /^# Slide 1\nTrade fair\nStand 12\nNotes: Bring the keys\.\n\n# Slide 2\n/,
  "contract.pdf": /^# Page 1\nContract 42\n\nBetween Ann and Bo\nFee: 1\.250 €$/,
};

for (const [name, expected] of Object.entries(DOCUMENTS)) {
  test(`the text of ${name} is read, whole and in parts`, async () => {
    const whole = await read(name);
    assert.match(whole.text, expected);
    assert.equal(whole.truncated, false);
    const part = await read(name, { offset: 2, maxChars: 9 });
    assert.equal(part.text, [...whole.text].slice(2, 11).join("").trim());
    assert.deepEqual([part.truncated, part.nextOffset], [true, 11]);
  });
}

test("a document that fills its reader's memory is told to be unreadable, and nobody else notices", async () => {
  const stream = session.call("getAttachment", { messageId });
  for (let time = 0; time < 3; time += 1) {
    const answer = await read("poster.pdf");
    assert.match(answer.note, /cannot be read/);
    assert.equal(answer.text, undefined);
  }
  await stream;
  assert.match((await read("contract.pdf")).text, DOCUMENTS["contract.pdf"]);
});
