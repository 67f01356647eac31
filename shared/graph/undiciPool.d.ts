/** undici has types for its root only; this file behind it exports the same class. */
declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}
