import assert from "node:assert/strict";
import { test } from "node:test";
import type { FastifyPluginCallback } from "fastify";
import { emptyApp } from "./mistakes.js";

const JSON_TYPE = "application/json";
/** What has let bodies past their validation in one framework or another; undefined: none is named. */
const TRICKS: readonly (string | undefined)[] = [
  `${JSON_TYPE}\t`,
  `\t${JSON_TYPE}`,
  ` ${JSON_TYPE}`,
  `${JSON_TYPE} ; a`,
  `${JSON_TYPE};charset=`,
  "Application/JSON",
  "APPLICATION/JSON; CHARSET=UTF-8",
  `${JSON_TYPE}x`,
  `${JSON_TYPE};;boundary=x`,
  `${JSON_TYPE}, text/plain`,
  `${JSON_TYPE},${JSON_TYPE}`,
  "application/vnd.api+json",
  "text/json",
  "text/html",
  "multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded",
  "*/*",
  "",
  undefined,
];

test("whatever a body calls itself, on every route that takes one: what is wrong in it is refused, and no handler is entered", async () => {
  const routes: { readonly method: string; readonly url: string }[] = [];
  const entered: string[] = [];
  const watch: FastifyPluginCallback = (app, _options, done) => {
    app.addHook("onRoute", (route) => {
      if ((route.schema as { body?: unknown } | undefined)?.body === undefined) return;
      routes.push({ method: String(route.method), url: route.url });
      const { handler } = route;
      route.handler = function (request, reply) {
        entered.push(`${route.method} ${route.url} as ${JSON.stringify(request.headers["content-type"])}`);
        return handler.call(this, request, reply);
      };
    });
    done();
  };
  Object.assign(watch, { [Symbol.for("skip-override")]: true });
  const app = await emptyApp({ tracing: watch });
  try {
    await app.ready();
    assert.ok(routes.length >= 12, `${routes.length} routes`);
    for (const { method, url } of routes) {
      const path = url
        .replace(":id", url.includes("/keys/") ? "0".repeat(16) : `run_${"0".repeat(20)}`)
        .replace(":name", "mine");
      for (const type of TRICKS) {
        const { statusCode, headers, body } = await app.inject({
          method: method as "POST",
          url: path,
          headers: type === undefined ? {} : { "content-type": type },
          payload: '{"nobody":"knows this"}',
        });
        const where = `${method} ${url} as ${JSON.stringify(type)}: ${statusCode} ${body}`;
        assert.ok(statusCode === 400 || statusCode === 415, where);
        assert.match(String(headers["content-type"]), /^application\/problem\+json/, where);
      }
    }
    assert.deepEqual(entered, []);
  } finally {
    await app.close();
  }
});
