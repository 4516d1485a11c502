import { CopyButton } from "./copy-button.js";

/** A line for a shell, to be copied. */
export function CurlLine({ line }: { line: string }) {
  return (
    <div class="curl">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <section tabIndex={0} aria-label="The same with curl">
        <pre>{line}</pre>
      </section>
      <CopyButton label="Copy" text={() => line} />
    </div>
  );
}
