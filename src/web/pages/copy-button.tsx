import { useState } from "preact/hooks";
import { settleAddress } from "../router.js";

/** Where a page may not write to the clipboard, as from another machine without TLS, the text is shown to be copied. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    prompt("Copy this:", text);
    return false;
  }
}

/** `text` is asked for at the click: it may be the page's address by then. */
export function CopyButton({ label, text, title }: { label: string; text: () => string; title?: string }) {
  const [copied, setCopied] = useState(false);
  const act = async () => {
    if (!(await copy(text()))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <button type="button" title={title} onClick={() => void act()}>
      {/* No <output>: a button takes no name from one. */}
      <span aria-live="polite">{copied ? "Copied" : label}</span>
    </button>
  );
}

function address(): string {
  settleAddress();
  return location.href;
}

/** Copies the address of what is shown, as it is shown. */
export const ShareButton = () => <CopyButton label="Copy link" title="The address of this view" text={address} />;
