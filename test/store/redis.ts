import { after } from "node:test";
import { type AnnealRedis, connect } from "../../src/store/connect.js";
import { startRedis } from "../redis.js";

/** A connection to a Redis of the test file's own, until its tests are over. */
export async function openRedis(): Promise<AnnealRedis> {
  const server = await startRedis();
  const redis = connect(server.url, "patient");
  after(async () => {
    redis.disconnect();
    await server.stop();
  });
  return redis;
}
