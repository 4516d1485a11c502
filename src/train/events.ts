/** What an attempt at a run tells of itself while it goes on, for metrics and traces. Times are seconds unless a name says otherwise. */
export type TrainingEvent =
  /** `queued`: from its creation to its first attempt; null: it is a later one. */
  | { readonly type: "claimed"; readonly attempt: number; readonly queued: number | null }
  /** `steps` more of them are stored. `waited`: for how long training stood still for the store; `sentAt`: ms since 1970. */
  | { readonly type: "committed"; readonly steps: number; readonly waited: number; readonly sentAt: number }
  /** `outcome`: a terminal status, or paused, released, stale. `lasted`: from its first start, where it is over for good. */
  | { readonly type: "ended"; readonly outcome: string; readonly lasted: number | null };
