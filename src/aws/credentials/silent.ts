/** A log for the SDK, which would otherwise write to the console. */
const nothing = (): void => {};

export const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing, trace: nothing };
