import { useState } from "preact/hooks";

/** A line for a shell, to be copied. */
export function CurlLine({ line }: { line: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(line);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div class="curl">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <section tabIndex={0} aria-label="The same with curl">
        <pre>{line}</pre>
      </section>
      <button type="button" onClick={() => void copy()}>
        <output>{copied ? "Copied" : "Copy"}</output>
      </button>
    </div>
  );
}
