import { setTimeout as delay } from "node:timers/promises";
import { connect } from "../../../src/store/connect.js";
import type { Cursor, Sink } from "../../../src/store/contract.js";
import { logKey } from "../../../src/store/keys.js";
import { positionBefore, readLog } from "../../../src/store/log.js";
import { RedisTail } from "../../../src/store/tail.js";

const PAGE = 16;
const redis = connect(process.env.REDIS_URL!, "patient");

/**
 * Broken twin: what is stored is read first, and then what comes from now on, without a look at where the reading ended.
 * The time between is that of a busy Redis.
 */
RedisTail.prototype.follow = function (this: RedisTail, runId: string, from: number, sink: Sink): Cursor {
  let position = positionBefore(from);
  let stop = () => {};
  const readOn = async () => {
    for (;;) {
      const page = await readLog(redis, runId, position, PAGE);
      if (page.length === 0) return;
      position = page.at(-1)!.id;
      for (const entry of page) sink.send(entry);
    }
  };
  const begin = async () => {
    await readOn();
    await delay(30);
    const [newest] = await redis.xrevrange(logKey(runId), "+", "-", "COUNT", 1);
    position = newest![0];
    let reading = Promise.resolve();
    stop = this.watch({
      changed: (id) => {
        if (id === runId) reading = reading.then(readOn);
      },
      missed: () => {},
    });
  };
  let begun = false;
  const resume = () => {
    if (!begun) void begin();
    begun = true;
  };
  return { resume, close: () => stop() } as unknown as Cursor;
};
