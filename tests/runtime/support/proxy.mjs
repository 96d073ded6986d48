// A loopback proxy that adds a bearer token: the conformance suite cannot sign in, and the server serves nobody without.
// Host, Origin and every other header pass as they are, so the suite still judges what the server makes of them.
import http from "node:http";

/** Starts it in front of `url`; its own address and how to stop it. */
export async function bearerProxy(url, token) {
  const target = new URL(url);
  const server = http.createServer((request, response) => {
    const headers = { ...request.headers, authorization: `Bearer ${token}` };
    const { method, url: path } = request;
    const onward = http.request({ host: "127.0.0.1", port: target.port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    response.on("close", () => onward.destroy());
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://localhost:${server.address().port}`, stop };
}
