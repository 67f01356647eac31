import 'openapi-explorer';

// The viewer sends every file as application/octet-stream; the media type of a file that is picked goes into the query instead.
// A change event does not leave the viewer's shadow root, so it is listened to there.
const explorer = document.querySelector('openapi-explorer');
explorer.shadowRoot.addEventListener('change', ({ target }) => {
  if (!target.matches('.request-body-param-file')) return;
  const field = target.closest('.request-panel')?.querySelector('[data-pname="contentType"]');
  if (field) field.value = target.files[0]?.type ?? '';
});
