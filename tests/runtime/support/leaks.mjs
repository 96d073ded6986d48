// Looking for a text where none may be: bytes of every stored file, and a secret in the forms that code would give it.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** All bytes below a folder: databases with their write-ahead logs, and blobs. */
export function storedBytes(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name))));
}

export const findIn = (bytes, text) => bytes.includes(text);

/** Plain, percent-encoded, and base64 at each of the three alignments. */
export function variants(text) {
  const encoded = [0, 1, 2].map((shift) => {
    const whole = Buffer.from(" ".repeat(shift) + text).toString("base64");
    // The characters that depend on the neighbours are cut off.
    return whole.slice(shift === 0 ? 0 : 4, -4);
  });
  const base64 = encoded.filter((form) => form.length >= 12);
  const urlSafe = base64.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"));
  return [...new Set([text, encodeURIComponent(text), ...base64, ...urlSafe])];
}
