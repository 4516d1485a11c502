import type { Message } from "./messages.js";

/** Bytes that may wait in a connection, within this process, before its reader counts as lagging. */
export const HIGH_WATER = 256 * 1024;
/** How often a connection is looked at, and for how many looks in a row its reader may take nothing. */
export const TICK_MS = 1000;
export const FROZEN_TICKS = 9;

/** Close codes; docs/api.md has the table. */
export const CLOSE = { end: 1000, policy: 1008, restart: 1012, idle: 4000, frozen: 4008 } as const;

/** Names a message's run where a connection carries several. */
export interface Channel {
  readonly run: string;
  readonly channel: number;
}

/** What messages go out on: a WebSocket, or a response of Server-Sent Events. */
export interface Connection {
  /** Begins to watch the peer: `resume` is called when there may be room again, `frozen` when it has taken nothing for long. */
  watch(resume: () => void, frozen: () => void): void;
  /** Whether it takes another message now; if not, it calls `resume` when it does. */
  hasRoom(): boolean;
  /** `nextStep`: the step that a reader who has this message resumes from; `of`: null where there is one run alone. */
  write(message: Message, nextStep: number, of: Channel | null): void;
  /** Nothing more is written, and the peer not watched any longer. */
  stop(): void;
  /** Ends once the peer has taken what waits for it; a response has no code and no reason. */
  end(code: number, reason: string): void;
  /** Ends at once. */
  kill(): void;
}
