import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after } from "node:test";
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { startService, type TestService } from "../service.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The Chromium of this machine: $CHROMIUM, or one on the PATH; null: none. */
export function findChromium(): string | null {
  if (process.env.CHROMIUM !== undefined) return process.env.CHROMIUM;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of NAMES) if (existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}

/** What a page is waited for at most; only a hang takes so long. */
export const HANGS_AFTER_MS = 180_000;

const found = findChromium();
if (found === null) console.error("SKIPPED: no Chromium on the PATH or in $CHROMIUM; the dashboard is not tested");
/** For a test's `skip` option. */
export const skip = found === null ? "no Chromium on the PATH or in $CHROMIUM" : false;

export interface TestBrowser {
  /** A new page; what it throws or logs as an error is kept in `errors`. */
  page(options?: Pick<BrowserContextOptions, "colorScheme" | "hasTouch" | "viewport">): Promise<Page>;
  readonly errors: string[];
  close(): Promise<void>;
}

/** A Chromium with a new, empty profile. */
export async function openBrowser(): Promise<TestBrowser> {
  const flags = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run"];
  const quiet = ["disable-background-networking", "disable-component-update", "disable-sync"];
  const browser = await chromium.launch({
    executablePath: found!,
    headless: true,
    args: [...flags, ...quiet].map((flag) => `--${flag}`),
  });
  const errors: string[] = [];
  return {
    errors,
    page: async (options = {}) => {
      const context = await browser.newContext({ acceptDownloads: true, ...options });
      context.setDefaultTimeout(HANGS_AFTER_MS);
      const page = await context.newPage();
      page.on("pageerror", (error) => errors.push(String(error.stack)));
      page.on("console", (message) => {
        // Lost connections are what some tests are about; 503 is a busy machine's Redis, and asked again.
        if (message.type() === "error" && !/ERR_|WebSocket| 503 /.test(message.text())) errors.push(message.text());
      });
      return page;
    },
    close: () => browser.close(),
  };
}

/** A service and a browser for all tests of a file, until they are over. */
export async function startDashboard(): Promise<{ service: TestService; browser: TestBrowser }> {
  // Every test of the file is skipped then.
  if (skip) return {} as { service: TestService; browser: TestBrowser };
  const browser = await openBrowser();
  const service = await startService();
  after(async () => {
    await browser.close();
    await service.stop();
  });
  return { service, browser };
}
