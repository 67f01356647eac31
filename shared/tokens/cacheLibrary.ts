/** The cache of users' tokens, apart from the rest of the app: loaded where the settings name who acts for users. */
export { LRUCache } from 'lru-cache';
