import { KMSClient } from "../sdk.ts";

/** The region of the profile in use, as the SDK reads it from the shared config file. */
export async function profileRegion(): Promise<string | undefined> {
  try {
    return await new KMSClient({}).config.region();
  } catch {
    // "Region is missing": it is not there, and the next source is asked.
    return undefined;
  }
}
