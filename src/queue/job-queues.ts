import { kindOf, QUEUE_NAMES, type QueueName, RECORD_KINDS } from "../schemas/record-kinds.js";
import type { JobRef, Jobs } from "./reconcile.js";

/** All queues as one: which of them a record's job belongs to follows from the kind of its id. */
export class JobQueues implements Jobs {
  readonly #queues: Readonly<Record<QueueName, Jobs>>;

  constructor(queues: Readonly<Record<QueueName, Jobs>>) {
    this.#queues = queues;
  }

  async missing(refs: readonly JobRef[]): Promise<JobRef[]> {
    const missing = QUEUE_NAMES.map((queue) =>
      this.#queues[queue].missing(refs.filter(({ id }) => queueOf(id) === queue)),
    );
    return (await Promise.all(missing)).flat();
  }

  enqueue(id: string, epoch: number, first = false): Promise<void> {
    return this.#queues[queueOf(id)].enqueue(id, epoch, first);
  }
}

function queueOf(id: string): QueueName {
  const kind = kindOf(id);
  if (kind === null) throw new Error(`${id} is no kind of record`);
  return RECORD_KINDS[kind].queue;
}
