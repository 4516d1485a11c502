/** Bytes that may wait in a connection, within this process, before its reader counts as lagging. */
export const HIGH_WATER = 256 * 1024;
/** How often a connection is looked at, and for how many looks in a row its reader may take nothing. */
export const TICK_MS = 1000;
export const FROZEN_TICKS = 9;
