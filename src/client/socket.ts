/** What is used of a WebSocket: the platform's own, or ws's. */
interface Socket {
  binaryType: string;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  close(): void;
}
type Headers = Readonly<Record<string, string>>;
type SocketClass = new (url: string, protocols: string[], options?: { headers: Headers }) => Socket;

/** Silence after which a socket is taken for dead: one whose peer has gone without a word, or that a tab has slept through. */
const SILENT_MS = 60_000;
const LOOK_MS = 5000;
/** Bytes that may wait for a reader who is slower than the line; beyond, the line is given up until they are read. */
const MOST_WAITING = 16 << 20;

/** Node has had one of its own since 22. Headers, such as a key's, are what ws alone can send, and in a browser nothing can. */
async function socketClass(headers: Headers): Promise<SocketClass> {
  const { WebSocket: own, document } = globalThis as { WebSocket?: SocketClass; document?: unknown };
  if (own !== undefined && (document !== undefined || Object.keys(headers).length === 0)) return own;
  return (await import("ws")).WebSocket as unknown as SocketClass;
}

/** The messages of one WebSocket, text or binary, until it is closed, whoever closes it and why; leaving the loop closes it. */
export async function* listen(
  url: string,
  protocol: string,
  headers: Headers,
  signal: AbortSignal | undefined,
): AsyncGenerator<string | ArrayBuffer> {
  const WebSocket = await socketClass(headers);
  if (signal?.aborted) return;
  const socket = new WebSocket(url.replace(/^http/, "ws"), [protocol], { headers });
  socket.binaryType = "arraybuffer";
  let waiting: (string | ArrayBuffer)[] = [];
  let bytes = 0;
  let closed = false;
  let heardAt = Date.now();
  let wake = () => {};
  const close = () => {
    closed = true;
    wake();
  };
  // A clock, not a count of timers: they stand still while a tab or a machine sleeps.
  const timer = setInterval(() => Date.now() - heardAt > SILENT_MS && close(), LOOK_MS);
  socket.onmessage = ({ data }) => {
    heardAt = Date.now();
    const message = data as string | ArrayBuffer;
    waiting.push(message);
    bytes += typeof message === "string" ? message.length : message.byteLength;
    if (bytes > MOST_WAITING) socket.close();
    wake();
  };
  socket.onclose = close;
  // "close" follows.
  socket.onerror = () => {};
  signal?.addEventListener("abort", close);
  try {
    while (!closed || waiting.length > 0) {
      if (waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const messages = waiting;
      waiting = [];
      bytes = 0;
      for (const message of messages) {
        if (signal?.aborted) return;
        yield message;
      }
    }
  } finally {
    clearInterval(timer);
    signal?.removeEventListener("abort", close);
    socket.onmessage = null;
    socket.close();
  }
}
