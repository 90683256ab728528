// Server-sent events over fetch: unlike EventSource it can be stopped, never reconnects by itself, and shows errors.
export class Refused extends Error {
  constructor(parts, status) {
    super(parts.what);
    this.parts = parts;
    this.status = status;
  }
}

export async function* events(url, body, signal) {
  const headers = { accept: "text/event-stream, application/json", "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body), signal, headers });
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    throw new Refused(body?.error ?? { what: `The server answered ${response.status}`, about: "", fix: "Try again." }, response.status);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      if (block.startsWith(":")) continue; // the server is still at it
      const field = (name) => block.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1] ?? "";
      yield { name: field("event"), data: JSON.parse(field("data")) };
    }
  }
}
