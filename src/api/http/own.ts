import type { FastifyInstance } from "fastify";
import { DEFAULT_TENANT } from "../../schemas/tenant.js";
import type { ApiDeps, OwnDeps } from "../deps.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Whose request it is: of its key, or where keys are off the default tenant's. */
    readonly tenant: string;
    /** What that tenant has. Routes find records in no other way, so none can show another's. */
    readonly own: OwnDeps;
  }
}

/** To be called before any route is declared. */
export function giveOwn(app: FastifyInstance, deps: ApiDeps): void {
  // Tenants are as many as admins make.
  const made = new Map<string, OwnDeps>();
  const ownOf = (tenant: string): OwnDeps => {
    const own = made.get(tenant) ?? { ...deps, ...deps.storesOf(tenant) };
    made.set(tenant, own);
    return own;
  };
  app.decorateRequest("tenant", {
    getter() {
      return this.apiKey?.tenant ?? DEFAULT_TENANT;
    },
  });
  app.decorateRequest("own", {
    getter() {
      return ownOf(this.tenant);
    },
  });
}
