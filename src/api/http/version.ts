import { readFileSync } from "node:fs";
import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { strict } from "../../schemas/strict.js";

/** The one version number and licence, from dist/src/api/http. */
export const { version: VERSION, license: LICENSE } = JSON.parse(
  readFileSync(new URL("../../../../package.json", import.meta.url), "utf8"),
) as { readonly version: string; readonly license: string };

export const versionRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    "/version",
    {
      config: { access: "public" },
      schema: {
        operationId: "getVersion",
        summary: "Which version of Anneal this is",
        description: "The version of the package that answers.",
        tags: ["health"],
        response: { 200: Type.Object({ version: Type.String() }, strict) },
      },
    },
    async () => ({ version: VERSION }),
  );
};
