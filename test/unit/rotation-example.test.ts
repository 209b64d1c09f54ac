/** examples/rotation/rollout.json: what it names is there, what it allows is narrow, and no version reaches the main service unproven. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
type JsonObject = { readonly [name: string]: Json };

interface Resource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly Properties: JsonObject;
}

const TEMPLATE = JSON.parse(
  readFileSync(new URL("../../examples/rotation/rollout.json", import.meta.url), "utf8"),
) as {
  readonly Parameters: Readonly<Record<string, JsonObject>>;
  readonly Conditions: JsonObject;
  readonly Rules: JsonObject;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: JsonObject;
};

const properties = (name: string): JsonObject => TEMPLATE.Resources[name]?.Properties ?? assert.fail(name);
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Every object in it, itself included. */
function objectsIn(value: Json): JsonObject[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(objectsIn);
  return isObject(value) ? [value, ...Object.values(value).flatMap(objectsIn)] : [];
}

describe("the template", () => {
  const objects = objectsIn(TEMPLATE as unknown as Json);
  const known = new Set([...Object.keys(TEMPLATE.Resources), ...Object.keys(TEMPLATE.Parameters)]);
  const isKnown = (name: string): boolean => known.has(name) || name.startsWith("AWS::");
  const used = new Set<string>();

  test("refers to nothing that is not there", () => {
    for (const object of objects) {
      const { Ref: ref, "Fn::GetAtt": attribute, "Fn::Sub": text } = object;
      if (typeof ref === "string") {
        assert.ok(isKnown(ref), `Ref ${ref}`);
        used.add(ref);
      }
      if (attribute !== undefined) {
        const [name] = attribute as [string];
        assert.ok(name in TEMPLATE.Resources, `GetAtt ${name}`);
      }
      if (text !== undefined) {
        assert.equal(typeof text, "string");
        for (const [, name = ""] of String(text).matchAll(/\$\{([^}]+)\}/g)) {
          assert.ok(isKnown(name), `Sub ${name}`);
          used.add(name);
        }
      }
      const condition = object["Fn::If"];
      if (condition !== undefined)
        assert.ok(String((condition as readonly Json[])[0]) in TEMPLATE.Conditions);
    }
    for (const { DependsOn = [] } of Object.values(TEMPLATE.Resources)) {
      for (const name of DependsOn) assert.ok(name in TEMPLATE.Resources, name);
    }
    assert.deepEqual(
      Object.keys(TEMPLATE.Parameters).filter((name) => !used.has(name)),
      [],
      "parameters that nothing uses",
    );
  });
  test("keeps versions, tells EventBridge, and lets nobody in without TLS", () => {
    const bucket = properties("Bucket");
    assert.deepEqual(bucket["VersioningConfiguration"], { Status: "Enabled" });
    assert.deepEqual(bucket["NotificationConfiguration"], {
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    });
    assert.deepEqual(Object.values(bucket["PublicAccessBlockConfiguration"] as JsonObject), [
      true,
      true,
      true,
      true,
    ]);
    assert.equal(properties("Key")["EnableKeyRotation"], true);
    assert.ok(properties("LogGroup")["RetentionInDays"]);
    const [deny] = statementsOf("BucketPolicy");
    assert.deepEqual([deny?.Effect, deny?.Condition], ["Deny", { Bool: { "aws:SecureTransport": "false" } }]);
  });
});

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: Json;
  readonly Principal?: Json;
  readonly Condition?: JsonObject;
}

/** Of its own policies, not of the trust in a role. */
function statementsOf(name: string): Statement[] {
  const { AssumeRolePolicyDocument: _, ...own } = properties(name);
  return objectsIn(own).flatMap(({ Statement: list }) => (list ?? []) as unknown as Statement[]);
}
const actionsOf = ({ Action }: Statement): string[] => [Action].flat() as string[];
const textOf = (resource: Json): string =>
  isObject(resource) ? String(resource["Fn::Sub"] ?? JSON.stringify(resource)) : String(resource);

describe("the policies", () => {
  const BROAD: Readonly<Record<string, string>> = {
    "Key AdministerButNotUse": "in a key policy it is the key itself",
    "Key TaskRoleOpens": "in a key policy it is the key itself",
    "Key DeveloperRoleSealsAndOpens": "in a key policy it is the key itself",
    "BucketPolicy OnlyOverTls": "it denies",
    "ExecutionRole WriteTheLog": "every task has a stream of its own, of this one group",
    "ExecutionRole LogInToTheRegistry": "ecr:GetAuthorizationToken knows no resource",
    "RolloutRole RegisterTheTask": "revisions of this one family",
    "RolloutRole ReadTheAlarm":
      "cloudwatch:DescribeAlarms is checked against all alarms, whichever is asked for",
  };

  test("are as narrow as they can be", () => {
    const broad = Object.keys(TEMPLATE.Resources).flatMap((name) =>
      statementsOf(name)
        .filter((statement) => {
          const resources = ([statement.Resource ?? "*"] as Json[]).flat() as Json[];
          return [...actionsOf(statement), ...resources.map(textOf)].some((text) => text.includes("*"));
        })
        .map(({ Sid }) => `${name} ${Sid}`),
    );
    assert.deepEqual(broad.toSorted(), Object.keys(BROAD).toSorted());
  });
  test("never name an action by a pattern, but to deny it", () => {
    for (const name of Object.keys(TEMPLATE.Resources)) {
      for (const statement of statementsOf(name).filter(({ Effect }) => Effect === "Allow")) {
        assert.deepEqual(
          actionsOf(statement).filter((action) => action.includes("*")),
          [],
        );
      }
    }
  });
  test("open the data key for this one object only", () => {
    const uses = Object.keys(TEMPLATE.Resources)
      .flatMap(statementsOf)
      .filter((statement) =>
        actionsOf(statement).some((action) => /^kms:(Decrypt|GenerateDataKey)/.test(action)),
      );
    assert.equal(uses.length, 3);
    for (const { Condition } of uses) {
      assert.deepEqual(Condition, {
        StringEquals: {
          "kms:EncryptionContext:sealexec:object": { "Fn::Sub": "s3://${BucketName}/${ObjectKey}" },
        },
      });
    }
  });
  test("let no other account's service take a role", () => {
    const roles = Object.entries(TEMPLATE.Resources).filter(([, { Type }]) => Type === "AWS::IAM::Role");
    assert.equal(roles.length, 4);
    for (const [, { Properties }] of roles) {
      const [trust] = (Properties["AssumeRolePolicyDocument"] as unknown as { Statement: Statement[] })
        .Statement;
      const equals = trust?.Condition?.["StringEquals"] as JsonObject;
      assert.deepEqual(equals["aws:SourceAccount"], { Ref: "AWS::AccountId" });
    }
  });
});

describe("the rule", () => {
  /** A pattern of exact values only, as EventBridge matches it. */
  function matches(pattern: JsonObject, event: JsonObject): boolean {
    return Object.entries(pattern).every(([name, wanted]) => {
      const found = event[name];
      if (Array.isArray(wanted)) return (wanted as readonly Json[]).includes(found ?? null);
      return isObject(wanted) && isObject(found) && matches(wanted, found);
    });
  }

  const names: Readonly<Record<string, string>> = { BucketName: "my-secrets", ObjectKey: "app.env" };
  const pattern = JSON.parse(JSON.stringify(properties("NewVersion")["EventPattern"]), (_, value: Json) =>
    isObject(value) && typeof value["Ref"] === "string" ? (names[value["Ref"]] ?? null) : value,
  ) as JsonObject;

  // Amazon S3 User Guide, "EventBridge event message structure".
  const event = (bucket: string, key: string, type = "Object Created"): JsonObject => ({
    version: "0",
    id: "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": type,
    source: "aws.s3",
    account: "111122223333",
    time: "2021-11-12T00:00:00Z",
    region: "eu-west-1",
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: "0",
      bucket: { name: bucket },
      object: {
        key,
        size: 5,
        etag: "b1946ac92492d2347c6235b4d2611184",
        "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
        sequencer: "617f08299329d189",
      },
      "request-id": "N4N7GDK58NMKJ12R",
      requester: "111122223333",
      "source-ip-address": "1.2.3.4",
      reason: "PutObject",
    },
  });

  test("takes a new version of the object, and nothing else", () => {
    assert.ok(matches(pattern, event("my-secrets", "app.env")));
    assert.ok(!matches(pattern, event("my-secrets", "app.env.bak")));
    assert.ok(!matches(pattern, event("my-secrets", "other/app.env")));
    assert.ok(!matches(pattern, event("other", "app.env")));
    assert.ok(!matches(pattern, event("my-secrets", "app.env", "Object Deleted")));
    assert.ok(!matches(pattern, { ...event("my-secrets", "app.env"), source: "my.own" }));
  });
  test("hands over the version as the state machine wants it", () => {
    const [target] = properties("NewVersion")["Targets"] as unknown as [
      { InputTransformer: { InputPathsMap: Record<string, string>; InputTemplate: string } },
    ];
    const { InputPathsMap: paths, InputTemplate: template } = target.InputTransformer;
    const input = template.replaceAll(/<(\w+)>/g, (_, name: string) => {
      const steps = (paths[name] ?? assert.fail(name)).split(".").slice(1);
      const start: Json | undefined = event("my-secrets", "app.env");
      return JSON.stringify(
        steps.reduce<Json | undefined>((value, step) => (isObject(value) ? value[step] : undefined), start),
      );
    });
    assert.deepEqual(JSON.parse(input), { versionId: "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e" });
  });
});

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly JsonObject[];
  readonly Catch?: readonly { readonly Next: string }[];
  readonly Retry?: readonly Json[];
  readonly Resource?: string;
  readonly Parameters?: JsonObject;
}

const DEFINITION = properties("Rollout")["Definition"] as unknown as {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
};
const SUBSTITUTIONS = properties("Rollout")["DefinitionSubstitutions"] as JsonObject;
const { StartAt, States } = DEFINITION;
const stateOf = (name: string): State => States[name] ?? assert.fail(`no state ${name}`);

function nextOf(name: string): string[] {
  const { Next, Default, Choices = [], Catch = [] } = stateOf(name);
  return [Next, Default, ...Choices.map((rule) => rule["Next"]), ...Catch.map((rule) => rule.Next)].filter(
    (next) => typeof next === "string",
  );
}

/** The states that are reached from one of them, itself included, by ways that avoid another. */
function reachedFrom(start: string, avoided?: string): Set<string> {
  const reached = new Set<string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === avoided || reached.has(name)) continue;
    reached.add(name);
    open.push(...nextOf(name));
  }
  return reached;
}

describe("the state machine", () => {
  const names = Object.keys(States);
  const isEnd = (name: string): boolean => ["Succeed", "Fail"].includes(stateOf(name).Type);

  test("has no state that cannot be reached, and none without a way to an end", () => {
    assert.deepEqual([...reachedFrom(StartAt)].toSorted(), names.toSorted());
    for (const name of names) {
      assert.equal(nextOf(name).length === 0, isEnd(name), name);
      assert.ok([...reachedFrom(name)].some(isEnd), `${name} leads to no end`);
    }
  });
  test("has a default in every choice, and retries every call", () => {
    for (const name of names) {
      const { Type, Default, Retry } = stateOf(name);
      if (Type === "Choice") assert.ok(Default, name);
      if (Type === "Task") assert.ok(Retry !== undefined && Retry.length > 0, name);
    }
  });
  test("is given every name that it uses, and no others", () => {
    const used = [...JSON.stringify(DEFINITION).matchAll(/\$\{(\w+)\}/g)].map(([, name = ""]) => name);
    assert.deepEqual([...new Set(used)].toSorted(), Object.keys(SUBSTITUTIONS).toSorted());
  });
  test("may call what it calls, and nothing else", () => {
    const called = names.flatMap((name) => {
      const [, service = "", action = ""] =
        /:::(?:aws-sdk:)?(\w+):(\w+)$/.exec(stateOf(name).Resource ?? "") ?? [];
      if (action === "") return [];
      // HeadObject is allowed by s3:GetObject.
      return [
        action === "headObject" ? "s3:GetObject" : `${service}:${action[0]?.toUpperCase()}${action.slice(1)}`,
      ];
    });
    const allowed = statementsOf("RolloutRole").flatMap(actionsOf);
    assert.deepEqual(allowed.toSorted(), [...new Set([...called, "iam:PassRole"])].toSorted());
  });
  test("registers the task of the template, pinned to the version", () => {
    /** As CloudFormation puts it in. */
    const filledIn = (value: Json): Json => {
      if (Array.isArray(value)) return (value as readonly Json[]).map(filledIn);
      if (isObject(value)) {
        return Object.fromEntries(
          Object.entries(value).map(([name, inner]) => [name.replace(/\.\$$/, ""), filledIn(inner)]),
        );
      }
      const [, name = ""] = /^(?:States\.StringToJson\(')?\$\{(\w+)\}(?:'\))?$/.exec(String(value)) ?? [];
      return SUBSTITUTIONS[name] ?? value;
    };
    const registered = JSON.stringify(filledIn(stateOf("RegisterTask").Parameters ?? {}));
    const pinned = registered.replace(
      "States.Format('s3://${Bucket}/${Key}?versionId={}', $.versionId)",
      "PINNED",
    );
    const template = JSON.stringify(properties("TaskDefinition")).replace(
      '{"Fn::Sub":"s3://${BucketName}/${ObjectKey}?versionId=${ObjectVersion}"}',
      '"PINNED"',
    );
    assert.ok(pinned.includes('"PINNED"'));
    assert.deepEqual(JSON.parse(pinned), JSON.parse(template));
  });
  test("changes nothing before the version is claimed and known to be the newest", () => {
    for (const gate of ["Claim", "MainSettled", "IsNewest"]) {
      const reached = reachedFrom(StartAt, gate);
      for (const change of ["RegisterTask", "UpdateCanary", "UpdateMain", "BackOutCanary"]) {
        assert.ok(!reached.has(change), `${change} without ${gate}`);
      }
    }
  });
  test("gives the main service nothing that the canary has not passed", () => {
    for (const gate of ["UpdateCanary", "CanaryState", "Soak", "AlarmState", "CanaryHeld", "IsStillNewest"]) {
      assert.ok(!reachedFrom(StartAt, gate).has("UpdateMain"), `UpdateMain without ${gate}`);
    }
  });
  test("fails only after the canary was put back, and never where a newer version has taken over", () => {
    assert.ok(!reachedFrom(StartAt, "BackOutCanary").has("RolledBack"));
    assert.ok(!reachedFrom(StartAt, "FailedOrSuperseded").has("BackOutCanary"));
  });
});

describe("a choice", () => {
  const at = (data: JsonObject, path: Json | undefined): Json | undefined =>
    String(path)
      .split(".")
      .slice(1)
      .reduce<Json | undefined>((value, step) => (isObject(value) ? value[step] : undefined), data);

  /** The comparisons that this state machine makes. */
  function holds(rule: JsonObject, data: JsonObject): boolean {
    const [operator = "", operand = null] =
      Object.entries(rule).find(([name]) => name !== "Variable" && name !== "Next") ?? [];
    const found = at(data, rule["Variable"]);
    if (operator === "And") return (operand as readonly JsonObject[]).every((part) => holds(part, data));
    if (operator === "Or") return (operand as readonly JsonObject[]).some((part) => holds(part, data));
    if (operator === "Not") return !holds(operand as JsonObject, data);
    assert.notEqual(found, undefined, `${String(rule["Variable"])} is not there`);
    if (operator === "StringEquals") return found === operand;
    if (operator === "StringEqualsPath") return found === at(data, operand);
    if (operator === "NumericGreaterThanEqualsPath") return Number(found) >= Number(at(data, operand));
    return assert.fail(operator);
  }
  const decide = (name: string, data: JsonObject): Json | undefined =>
    stateOf(name).Choices?.find((rule) => holds(rule, data))?.["Next"] ?? stateOf(name).Default;

  const deployment = (TaskDefinition: string, RolloutState: string, RunningCount = 1): JsonObject => ({
    deployment: { TaskDefinition, RolloutState, RunningCount, DesiredCount: 1 },
  });
  const task = { arn: "mine" };

  test("goes on with the newest version only", () => {
    const newest = { versionId: "v2" };
    const next = {
      IsNewest: "RegisterTask",
      IsStillNewest: "UpdateMain",
      FailedOrSuperseded: "BackOutCanary",
    };
    for (const [name, then] of Object.entries(next)) {
      assert.equal(decide(name, { versionId: "v2", newest }), then);
      assert.equal(decide(name, { versionId: "v1", newest }), "Superseded");
    }
  });
  test("waits while a deployment is under way, and gives up where it failed or is not ours", () => {
    const places = [
      ["CanaryState", "canary", "StartSoak", "WaitForCanary"],
      ["MainState", "main", "Done", "WaitForMain"],
    ] as const;
    for (const [name, where, done, wait] of places) {
      const with_ = (state: JsonObject): JsonObject => ({ task, [where]: state });
      assert.equal(decide(name, with_(deployment("mine", "COMPLETED"))), done);
      assert.equal(decide(name, with_(deployment("mine", "IN_PROGRESS"))), wait);
      assert.equal(decide(name, with_(deployment("mine", "FAILED"))), "ReadNewestAfterFailure");
      assert.equal(decide(name, with_(deployment("before", "IN_PROGRESS"))), "ReadNewestAfterFailure");
      assert.equal(decide(name, with_(deployment("before", "COMPLETED"))), "ReadNewestAfterFailure");
    }
  });
  test("lets another rollout of the main service end first", () => {
    assert.equal(decide("MainSettled", { proven: deployment("any", "IN_PROGRESS") }), "WaitUntilMainSettled");
    for (const state of ["COMPLETED", "FAILED"]) {
      assert.equal(decide("MainSettled", { proven: deployment("any", state) }), "ReadNewest");
    }
  });
  test("takes an alarm, and whatever is not known to be quiet, for a failure", () => {
    for (const state of ["OK", "INSUFFICIENT_DATA"]) {
      assert.equal(decide("AlarmState", { alarm: { state } }), "CountLook");
    }
    for (const state of ["ALARM", "", ["OK"]]) {
      assert.equal(decide("AlarmState", { alarm: { state } }), "ReadNewestAfterFailure");
    }
  });
  test("soaks for as many looks as were asked for", () => {
    assert.equal(decide("SoakOver", { soak: { looks: 9, most: 10 } }), "Soak");
    assert.equal(decide("SoakOver", { soak: { looks: 10, most: 10 } }), "ReadCanaryAgain");
  });
  test("wants a canary that still runs at the end", () => {
    assert.equal(decide("CanaryHeld", { task, canary: deployment("mine", "COMPLETED") }), "ReadNewestAgain");
    for (const canary of [
      deployment("mine", "COMPLETED", 0),
      deployment("mine", "FAILED"),
      deployment("before", "COMPLETED"),
    ]) {
      assert.equal(decide("CanaryHeld", { task, canary }), "ReadNewestAfterFailure");
    }
  });
});
