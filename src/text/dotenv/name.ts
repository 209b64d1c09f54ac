const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Whether `name` is a name that a shell and every program can use: a letter or `_`, then letters, digits,
 * `_`.
 */
export const isVariableName = (name: string): boolean => VARIABLE_NAME.test(name);

/**
 * Whether a .env file can carry a variable of this name. dotenv collects into a plain object, where assigning
 * `__proto__` sets no key: such a variable would be lost without a word.
 */
export const isDotenvName = (name: string): boolean => isVariableName(name) && name !== "__proto__";
