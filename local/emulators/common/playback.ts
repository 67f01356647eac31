/** The thing that an emulator plays: on the next `times` requests, or on all until another one is played. */
export function createPlayback<Item>() {
  let playing: { readonly item: Item; left: number } | undefined;
  return {
    /** Undefined plays nothing. */
    play(item: Item | undefined, times = Number.POSITIVE_INFINITY): void {
      playing = item === undefined ? undefined : { item, left: times };
    },
    /** The item for a request, if it applies to it. */
    take(applies: (item: Item) => boolean = () => true): Item | undefined {
      if (playing === undefined || playing.left <= 0 || !applies(playing.item)) return undefined;
      playing.left -= 1;
      return playing.item;
    },
  };
}
