/** Whose what nobody has been named for is: all of it, where keys are off. */
export const DEFAULT_TENANT = "default";

/** A name of a tenant: short enough for keys in Redis and for lists. */
export const TENANT_NAME = "^[a-z0-9][a-z0-9-]{0,31}$";
