/** A laptop is not to wait for a metadata service: EC2 User Guide, "Detect whether a host is an EC2 instance". */
import { isatty } from "node:tty";
import { readSmallFile } from "../../base/files/read.ts";

/** What the firmware and the hypervisor call themselves. All can read them, in a container too. */
const DMI = "sys_vendor board_vendor bios_vendor product_version".split(" ");
const FILES = [...DMI.map((name) => `/sys/class/dmi/id/${name}`), "/sys/hypervisor/uuid"];

// "Amazon EC2" on Nitro and on metal; "4.11.amazon" and a UUID that begins with ec2 on Xen.
const OF_EC2 = /amazon|^ec2/i;
// A machine that runs in another one: which cloud the other one is in, they do not say.
const OF_NO_CLOUD = /^(xen|qemu|bochs|kvm|red hat|openstack|firecracker)/i;

// Firecracker has no such files, and a hardened container may hide them.
/** Only if it names another maker, or tells nothing and has somebody before it, is it surely elsewhere. */
export function isElsewhere(
  read: (file: string) => string = readOrNothing,
  hasSomebodyBefore: () => boolean = () => isatty(0) && isatty(2),
): boolean {
  const told = FILES.map(read);
  if (told.some((text) => OF_EC2.test(text))) return false;
  const [systemVendor = "", boardVendor = ""] = told;
  const vendor = systemVendor === "" ? boardVendor : systemVendor;
  return vendor === "" || OF_NO_CLOUD.test(vendor) ? hasSomebodyBefore() : true;
}

function readOrNothing(file: string): string {
  try {
    return readSmallFile(file).toString("latin1").trim();
  } catch {
    return "";
  }
}
