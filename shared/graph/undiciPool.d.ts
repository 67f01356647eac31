/** undici types its root alone; the file behind it is the same class. */
declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}
