import { Redis } from "ioredis";

/** Broken twin: every connection waits for Redis without limit, and sends what has waited. */
const open = Redis.prototype.connect;
Redis.prototype.connect = function (...args) {
  Object.assign(this.options, {
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: true,
    commandTimeout: undefined,
  });
  return open.apply(this, args);
};
