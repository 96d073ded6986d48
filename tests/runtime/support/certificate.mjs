// A self-signed certificate with its key, made for one test run: DER by hand, because node:crypto reads certificates and
// makes none (X.509, RFC 5280 section 4.1).
import { X509Certificate, generateKeyPairSync, sign } from "node:crypto";

function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const length = content.length < 0x80 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts) => der(0x30, ...parts);
const text = (tag, value) => der(tag, Buffer.from(value));
const oid = (hex) => der(0x06, Buffer.from(hex, "hex"));
const SHA256_WITH_RSA = sequence(oid("2a864886f70d01010b"), der(0x05));
const COMMON_NAME = oid("550403");

/** The two secrets of an operator who uses a certificate; both PEM. */
export function certificatePair() {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const name = sequence(der(0x31, sequence(COMMON_NAME, text(0x0c, "m365-mcp.contoso.example"))));
  const validity = sequence(text(0x17, "260101000000Z"), text(0x17, "490101000000Z"));
  const spki = publicKey.export({ type: "spki", format: "der" });
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.from([1]));
  const body = sequence(version, serial, SHA256_WITH_RSA, name, validity, name, spki);
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, privateKey));
  return {
    MICROSOFT_CLIENT_CERTIFICATE: new X509Certificate(sequence(body, SHA256_WITH_RSA, signature)).toString(),
    MICROSOFT_CLIENT_PRIVATE_KEY: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}
