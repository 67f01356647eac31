import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..');
const PIPELINES = ['.github/workflows/deploy.yml', 'azure-pipelines.yml'];
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The blocks after `run: |` and `inlineScript: |`. */
function scriptsOf(yaml: string): readonly string[] {
  return [...yaml.matchAll(/^( *)(?:- )?(?:run|inlineScript): \|\n((?:\1 +.*\n)+)/gm)].map(
    ([, , script = '']) => script,
  );
}

describe.each(PIPELINES)('%s', (path) => {
  test('has scripts that bash can parse', () => {
    const scripts = scriptsOf(read(path));

    expect(scripts.length).toBeGreaterThan(1);
    for (const input of scripts) {
      const { status, stderr } = spawnSync('bash', ['-n'], { input, encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
    }
  });

  test('reads outputs that the template has', () => {
    const outputs = [...read('infra/main.bicep').matchAll(/^output (\w+)/gm)].map(([, name]) => name);
    const asked = [...read(path).matchAll(/\$\(output (\w+)\)/g)].map(([, name]) => name);

    expect(asked).toEqual(expect.arrayContaining(['AZURE_RESOURCE_GROUP', 'SERVICE_API_NAME', 'SERVICE_API_HOST']));
    expect(asked.filter((name) => !outputs.includes(name))).toEqual([]);
  });

  test('builds, shows the changes, deploys, publishes, tests and rolls back, in this order', () => {
    const steps = [
      'npm run package',
      'deployment sub what-if',
      'deployment sub create',
      'package/app.zip',
      'npm run smoke',
    ];
    const places = steps.map((step) => read(path).lastIndexOf(step));

    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(read(path).slice(places.at(-1))).toContain('former');
  });
});
