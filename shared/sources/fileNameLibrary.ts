/** The decoder of encoded words, apart from the rest of the app: loaded for the first name that has one, with its tables of charsets. */
export { default as libmime } from 'libmime';
