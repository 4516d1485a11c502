import { useEffect, useState } from "preact/hooks";
import type { Session } from "../../schemas/api-key.js";
import { AnnealError, getSession, messageOf, onSignedOut, signIn, signOut } from "../data/api.js";
import { Failure } from "./status.js";

/** After the service could not be reached. */
const RETRY_MS = 1000;

/** Who is signed in: null, while that is not known; "nobody", where the service asks for a key. */
export function useSession(): { session: Session | "nobody" | null; enter: () => void; leave: () => void } {
  const [session, setSession] = useState<Session | "nobody" | null>(null);
  const look = async (): Promise<void> => {
    try {
      setSession(await getSession());
    } catch (error) {
      // One that refuses with anything but a 401, which was told already, has no sessions: an older version.
      if (!(error instanceof AnnealError)) setTimeout(look, RETRY_MS);
    }
  };
  useEffect(() => {
    const signedOut = () => setSession("nobody");
    onSignedOut.add(signedOut);
    void look();
    return () => onSignedOut.delete(signedOut);
  }, []);
  return { session, enter: () => void look(), leave: () => void signOut().then(look, look) };
}

/** Whose things are shown, and the way out; nothing where the service asks for no keys. */
export function Signed({ session, leave }: { session: Session | "nobody" | null; leave: () => void }) {
  if (session === null || session === "nobody" || session.key === null) return null;
  return (
    <p class="signed">
      <span>
        {session.tenant} <small>by key {session.key}</small>
      </span>
      <button type="button" onClick={leave}>
        Sign out
      </button>
    </p>
  );
}

/** A form that takes a key; the browser gets a cookie for it, and keeps no key. */
export function SignInPage({ entered }: { entered: () => void }) {
  const [failure, setFailure] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget as HTMLFormElement).get("key")).trim();
    setSending(true);
    try {
      await signIn(key);
      entered();
    } catch (error) {
      setFailure(messageOf(error));
      setSending(false);
    }
  };
  return (
    <form class="sign-in" onSubmit={(event) => void submit(event)}>
      <h1>Sign in</h1>
      <p>
        This service asks for a key. Whoever runs it makes one: <code>npm run keys -- create --name &lt;yours&gt;</code>
      </p>
      <div class="field">
        <label for="key">Key</label>
        <input id="key" name="key" type="password" autoComplete="off" required aria-describedby="key-help" />
        <small id="key-help" class="help">
          It begins with anneal_
        </small>
      </div>
      <Failure message={failure} />
      <button type="submit" class="primary" disabled={sending}>
        Sign in
      </button>
    </form>
  );
}
