import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The dashboard is served from its own origin with `default-src 'self'`: nothing may be inlined as a data: URI. */
export default defineConfig(({ command }) => {
  // What is built is what is served: a test runner's own NODE_ENV must not make it React's slow development build.
  if (command === 'build') process.env['NODE_ENV'] = 'production';
  return {
    root: import.meta.dirname,
    base: './',
    plugins: [react()],
    build: {
      outDir: '../dist/web',
      emptyOutDir: true,
      assetsInlineLimit: 0,
      target: 'es2022',
      cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    },
    server: { proxy: { '/api': { target: 'http://127.0.0.1:8081', ws: true } } },
  };
});
