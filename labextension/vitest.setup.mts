// What jsdom lacks and Lab's packages touch when they are imported.
class DragEventStub extends Event {}

class ResizeObserverStub {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

Object.assign(globalThis, {
  DragEvent: globalThis.DragEvent ?? DragEventStub,
  ResizeObserver: globalThis.ResizeObserver ?? ResizeObserverStub
});

window.matchMedia ??= (query: string) =>
  Object.assign(new EventTarget(), {
    matches: false,
    media: query,
    onchange: null,
    addListener: () => {},
    removeListener: () => {}
  }) as MediaQueryList;
