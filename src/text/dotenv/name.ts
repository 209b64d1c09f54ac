/** A name that a shell and every program can use. */
export const isVariableName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);

/** dotenv collects into a plain object: `__proto__` would be lost without a word. */
export const isDotenvName = (name: string): boolean => isVariableName(name) && name !== "__proto__";
