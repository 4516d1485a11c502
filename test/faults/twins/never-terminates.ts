import { WebSocket } from "ws";

/** Broken twin: a reader that takes nothing is waited for. */
WebSocket.prototype.terminate = () => {};
