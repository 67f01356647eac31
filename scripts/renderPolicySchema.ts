import schema from '../docs/policy.schema.json' with { type: 'json' };
import { POLICY_OPERATIONS } from '../shared/routes.ts';

/** The schema of policies with the operations that the table of routes has. */
export function renderPolicySchema(): string {
  const text = JSON.stringify(schema, (key, value) =>
    key === 'operations' ? { ...value, items: { enum: POLICY_OPERATIONS } } : value,
  );
  return `${JSON.stringify(JSON.parse(text), null, 2)}\n`;
}
