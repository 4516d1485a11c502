import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { LIMITS } from "../../schemas/limits.js";
import { ProblemError } from "../../schemas/problem.js";
import type { RecordKind } from "../../schemas/record-kinds.js";
import { isTerminal } from "../../schemas/status.js";
import type { StoredRecord } from "../../store/contract.js";
import type { OwnDeps } from "../deps.js";
import { idsFrom, newId } from "../ids.js";
import type { Origin } from "../runs/create-record.js";
import { problemResponse } from "./responses.js";

/** What a POST that creates takes besides its body. */
export const creatingHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: LIMITS.idempotencyKeyLength,
      description:
        "For 24 hours the same key with the same body creates once, and is answered as the first time; with another body it is refused (422).",
    }),
  ),
  prefer: Type.Optional(
    Type.String({
      maxLength: LIMITS.preferLength,
      description: `\`wait=n\`: the answer comes when it is over (200), or after n seconds (202), ${LIMITS.waitSeconds} at most.`,
    }),
  ),
});

/** Answers that these headers bring with them. */
export const creatingResponses = {
  422: problemResponse("The Idempotency-Key was used with another body"),
  429: problemResponse("The queue is full"),
  503: problemResponse("Redis is away"),
};

interface Resource<Body, R, View> {
  readonly kind: RecordKind;
  /** Its collection. */
  readonly path: string;
  readonly store: (own: OwnDeps) => { get(id: string): Promise<R | null> };
  readonly create: (own: OwnDeps, body: Body, origin: Origin) => Promise<R>;
  /** Of a body that is an array, in its order. */
  readonly createAll?: (own: OwnDeps, bodies: readonly Body[], origin: Origin) => Promise<R[]>;
  readonly view: (record: R) => View;
}

/** The handler of a POST that creates: once for each Idempotency-Key, and waiting for the end where the client prefers. */
export function creating<Body, R extends StoredRecord<unknown>, View extends { readonly id: string }>(
  resource: Resource<Body, R, View>,
) {
  const { path, view, store, create, createAll } = resource;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { own, body } = request;
    const viewOf = (record: R | null) => record && view(record);
    if (Array.isArray(body)) {
      const answers = await once(
        resource,
        request,
        async (first) => {
          const records = await Promise.all(idsFrom(first, body.length).map((id) => store(own).get(id)));
          return records.some((record) => record === null) ? null : (records as R[]).map(view);
        },
        async (origin) => (await createAll!(own, body, origin)).map(view),
      );
      return reply.code(202).send(answers);
    }
    const answer = await once(
      resource,
      request,
      async (id) => viewOf(await store(own).get(id)),
      async (origin) => view(await create(own, body as Body, origin)),
    );
    const { id } = answer;
    reply.code(202).header("location", `${path}/${id}`);
    const seconds = waitSecondsOf(request.headers.prefer);
    if (seconds === null) return reply.send(answer);
    reply.header("preference-applied", `wait=${seconds}`);
    const record = await settled(store(own), id, seconds * 1000, request);
    if (record === null) return reply.send(answer);
    return reply.code(isTerminal(record.status) ? 200 : 202).send(view(record));
  };
}

/**
 * What `make` makes; once, where there is a key. The key stands for one id, whoever asks first; creating it again does nothing,
 * and the first answer that is stored is everybody's. So the process may die between any two of these awaits, and others may ask
 * at the same time. `find`: what an earlier request has made that died before it could answer.
 */
async function once<Answer>(
  { kind, path }: Pick<Resource<never, never, never>, "kind" | "path">,
  request: FastifyRequest,
  find: (id: string) => Promise<Answer | null>,
  make: (origin: Origin) => Promise<Answer>,
): Promise<Answer> {
  const { own, id: traceId, log, tenant, headers } = request;
  const key = headers["idempotency-key"];
  if (key === undefined) return make(request);
  const begun = await own.once.begin(String(key), newId(kind, Date.now()), JSON.stringify([path, request.body]));
  if (begun === "other") {
    throw new ProblemError(
      "idempotency-mismatch",
      "This Idempotency-Key was sent with another request within 24 hours; take a new one",
    );
  }
  const { id, fresh } = begun;
  const before = fresh ? null : await own.once.answer(id);
  if (before !== null) return JSON.parse(before) as Answer;
  const made = (fresh ? null : await find(id)) ?? (await make({ id: traceId, log, tenant, own, recordId: id }));
  return JSON.parse(await own.once.complete(id, JSON.stringify(made))) as Answer;
}

/** RFC 7240's `wait`, at most a minute; null: the client does not ask to wait. */
function waitSecondsOf(prefer: string | string[] | undefined): number | null {
  const wait = /(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(String(prefer ?? ""))?.[1];
  return wait === undefined ? null : Math.min(Number(wait), LIMITS.waitSeconds);
}

/** The record when it is over, or as it is after `ms`; null: it is gone, or nobody listens any more. */
async function settled<R extends StoredRecord<unknown>>(
  store: { get(id: string): Promise<R | null> },
  id: string,
  ms: number,
  { raw, own: { tail } }: FastifyRequest,
): Promise<R | null> {
  let wake = () => {};
  let changed = true;
  const stir = () => {
    changed = true;
    wake();
  };
  const unwatch = tail.watch({ changed: (changedId) => changedId === id && stir(), missed: stir });
  let over = false;
  const end = () => {
    over = true;
    wake();
  };
  const timer = setTimeout(end, ms);
  raw.socket.once("close", end);
  try {
    for (;;) {
      changed = false;
      const record = await store.get(id);
      if (record === null || isTerminal(record.status) || over) return record;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (changed || over) resolve();
      });
    }
  } finally {
    clearTimeout(timer);
    unwatch();
    raw.socket.off("close", end);
  }
}
