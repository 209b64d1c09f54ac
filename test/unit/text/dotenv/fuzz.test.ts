import assert from "node:assert/strict";
import { it } from "node:test";
import { fuzz } from "../../../soak/dotenv-fuzz.ts";

it("every promise holds for 10,000 mutated texts", () => {
  const { accepted, violations } = fuzz(20_260_101, 10_000);
  assert.deepEqual(violations, []);
  assert.ok(accepted > 1000 && accepted < 10_000, `${accepted} accepted`);
});
