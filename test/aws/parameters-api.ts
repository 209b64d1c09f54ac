/** Systems Manager's Parameter Store (API Reference, 2014-11-06), as far as it is asked here. */
import { ServiceError } from "./http.ts";
import { accessDenied } from "./json-service.ts";
import type { Asked, JsonApi, Output } from "./json-service.ts";
import type { Parameter, ParameterStore, ParameterType } from "./parameters-store.ts";

const TYPES: readonly ParameterType[] = ["String", "StringList", "SecureString"];

export class ParametersApi implements JsonApi {
  readonly name = "ssm";
  readonly target = "AmazonSSM";
  readonly names = ["Name", "Path"];
  readonly #store: ParameterStore;

  constructor(store: ParameterStore) {
    this.#store = store;
  }

  answer(asked: Asked): Output {
    const { denied } = this.#store;
    const named = asked.input.plainText("Name") ?? asked.input.plainText("Path") ?? "";
    if (denied.has(asked.operation)) throw accessDenied(asked, `ssm:${asked.operation}`, named);
    switch (asked.operation) {
      case "GetParameter":
        return this.#get(asked);
      case "GetParametersByPath":
        return this.#getByPath(asked);
      case "PutParameter":
        return this.#put(asked);
      case "DeleteParameters":
        return this.#delete(asked);
      default:
        throw new ServiceError(400, "UnknownOperationException", "");
    }
  }

  #get(asked: Asked): Output {
    const found = this.#store.get(asked.input.required("Name"), asked.region);
    if (found === undefined) throw new ServiceError(400, "ParameterNotFound", "");
    return { Parameter: this.#render(found, asked) };
  }

  /** At most 10 a page; the token is ours to choose. */
  #getByPath(asked: Asked): Output {
    const { input } = asked;
    const path = input.required("Path");
    if (!path.startsWith("/"))
      throw validation(`The parameter doesn't meet the parameter name requirements: ${path}`);
    const size = input.number("MaxResults") ?? 10;
    if (!(size >= 1 && size <= 10)) throw validation("MaxResults: Member must have value from 1 to 10");
    const start = tokenOffset(input.text("NextToken"));
    const all = this.#store.below(path, input.flag("Recursive"), asked.region);
    const page = all.slice(start, start + size).map((parameter) => this.#render(parameter, asked));
    const more = start + size < all.length ? { NextToken: `token-${start + size}` } : {};
    return { Parameters: page, ...more };
  }

  #put(asked: Asked): Output {
    const { input } = asked;
    const name = input.required("Name");
    const value = input.required("Value");
    const type = TYPES.find((known) => known === (input.text("Type") ?? "String"));
    if (type === undefined)
      throw new ServiceError(400, "UnsupportedParameterType", "The parameter type isn't supported.");
    if (!/^[A-Za-z0-9_.\-/]{1,1011}$/u.test(name))
      throw validation("Parameter name: can't be prefixed or hold other characters");
    if (this.#store.get(name, asked.region) !== undefined && !input.flag("Overwrite"))
      throw new ServiceError(400, "ParameterAlreadyExists", "The parameter already exists.");
    const tier = input.text("Tier") ?? "Standard";
    const largest = tier === "Standard" ? 4096 : 8192;
    if (Buffer.byteLength(value) > largest)
      throw validation(`${tier} tier parameters support a maximum parameter value of ${largest} characters.`);
    if (type === "SecureString") this.#checkKey(asked, "kms:GenerateDataKey");
    const options = { type, region: asked.region, keyId: input.text("KeyId"), tier };
    return { Version: this.#store.put(name, value, options).version, Tier: tier };
  }

  /** "Names: … Maximum number of 10 items"; those that are not there are told apart. */
  #delete({ input, region }: Asked): Output {
    const names = input.texts("Names") ?? [];
    if (names.length < 1 || names.length > 10) throw validation("Names: Member must have length 1 to 10");
    const there = names.filter((name) => this.#store.remove(name, region));
    return { DeletedParameters: there, InvalidParameters: names.filter((name) => !there.includes(name)) };
  }

  #render(parameter: Parameter, asked: Asked): Output {
    const decrypts = asked.input.flag("WithDecryption");
    const isSecure = parameter.type === "SecureString";
    if (isSecure && decrypts) this.#checkKey(asked, "kms:Decrypt");
    return {
      Name: parameter.name,
      Type: parameter.type,
      Value: isSecure && !decrypts ? Buffer.from(parameter.name).toString("base64") : parameter.value,
      Version: parameter.version,
      LastModifiedDate: parameter.modified / 1000,
      ARN: parameter.arn,
      DataType: "text",
    };
  }

  #checkKey(asked: Asked, action: string): void {
    if (this.#store.keyTrouble === "invalid")
      throw new ServiceError(400, "InvalidKeyId", "The key is disabled. (Service: AWSKMS; Status Code: 400)");
    if (this.#store.keyTrouble === "denied") throw accessDenied(asked, action, "the key");
  }
}

function tokenOffset(token: string | undefined): number {
  if (token === undefined) return 0;
  const offset = Number(/^token-(\d+)$/u.exec(token)?.[1] ?? Number.NaN);
  if (Number.isNaN(offset))
    throw new ServiceError(400, "InvalidNextToken", "The specified token isn't valid.");
  return offset;
}

function validation(message: string): ServiceError {
  return new ServiceError(400, "ValidationException", message);
}
