/** The flags of `push`, as commander gives them. */

export interface PushFlags {
  readonly key?: string;
  readonly context?: readonly string[];
  readonly format: "v3" | "v2";
  readonly bind: boolean;
  readonly ifMatch?: string;
  readonly create?: boolean;
  readonly replace?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly revision?: string;
  readonly allow?: readonly string[];
  readonly credentials?: string;
}
