import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    {
      // Lab's packages import pictures as text.
      name: 'svg-as-text',
      enforce: 'pre',
      transform(code: string, id: string) {
        if (id.endsWith('.svg')) {
          return { code: `export default ${JSON.stringify(code)}`, map: null };
        }
      }
    }
  ],
  test: {
    environment: 'jsdom',
    include: ['src/**/*.spec.{ts,tsx}'],
    // Lab's packages are ES modules that do not say so, with imports that have no file endings.
    server: {
      deps: {
        inline: [
          /@jupyterlab\//,
          /@jupyter\//,
          /@lumino\//,
          /@rjsf\//,
          /@microsoft\//,
          /y-protocols/,
          /lib0/
        ]
      }
    },
    setupFiles: ['./vitest.setup.mts']
  }
});
