import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isElsewhere } from "../../../../src/aws/credentials/elsewhere.ts";

const DMI = "/sys/class/dmi/id/";

/** Files that are not there are empty. */
function reading(files: Readonly<Record<string, string>>): (file: string) => string {
  return (file) => files[file] ?? "";
}

const INSTANCES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["Nitro and metal", { [`${DMI}sys_vendor`]: "Amazon EC2", [`${DMI}board_vendor`]: "Amazon EC2" }],
  ["Xen, by its version", { [`${DMI}sys_vendor`]: "Xen", [`${DMI}product_version`]: "4.11.amazon" }],
  ["Xen without DMI", { "/sys/hypervisor/uuid": "ec2f58a1-1111-2222-3333-444455556666" }],
  ["another maker's board", { [`${DMI}sys_vendor`]: "Dell Inc.", [`${DMI}bios_vendor`]: "Amazon EC2" }],
];

const UNKNOWN: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["nothing to be read: Firecracker, a hardened container", {}],
  ["a virtual machine in any cloud", { [`${DMI}sys_vendor`]: "QEMU" }],
  ["Xen of anybody", { [`${DMI}sys_vendor`]: "Xen", [`${DMI}product_version`]: "4.11" }],
];

describe("whether this machine is surely no instance", () => {
  for (const [name, files] of INSTANCES)
    test(`${name}: it is an instance, also before a terminal`, () => {
      assert.equal(
        isElsewhere(reading(files), () => true),
        false,
      );
    });
  for (const [name, files] of UNKNOWN)
    test(`${name}: only before a terminal`, () => {
      assert.equal(
        isElsewhere(reading(files), () => false),
        false,
      );
      assert.equal(
        isElsewhere(reading(files), () => true),
        true,
      );
    });
  for (const vendor of ["LENOVO", "Dell Inc.", "Google", "Microsoft Corporation", "innotek GmbH"])
    test(`${vendor}: it is none`, () => {
      assert.equal(
        isElsewhere(reading({ [`${DMI}sys_vendor`]: vendor }), () => false),
        true,
      );
      assert.equal(
        isElsewhere(reading({ [`${DMI}board_vendor`]: vendor }), () => false),
        true,
      );
    });
});
