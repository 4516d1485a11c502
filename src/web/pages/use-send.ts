import { useState } from "preact/hooks";
import { AnnealError, client, fieldTexts, messageOf } from "../data/api.js";
import { go } from "../router.js";

/** Posts a form's request and goes to what it has made; what the API refuses is told by field. */
export function useSend() {
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [refused, setRefused] = useState<Readonly<Record<string, string>>>({});
  const clear = () => {
    setRefused({});
    setFailure(null);
  };
  const send = async (path: string, body: unknown, link: (id: string) => string) => {
    setSending(true);
    try {
      go(link((await client.call<{ id: string }>(path, { method: "POST", json: body })).id));
    } catch (error) {
      setFailure(messageOf(error));
      if (error instanceof AnnealError) {
        setRefused(fieldTexts(error.problem.errors));
      }
      setSending(false);
    }
  };
  return { send, sending, failure, refused, clear };
}
