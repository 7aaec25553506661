// What the benchmark of the editor does in the page: events as a hand makes them, one for each frame that is drawn.
(() => {
  const FRAMES = 90;
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  const find = selector => document.querySelector(`.mlwf-Canvas ${selector}`);

  function viewport() {
    const { transform } = getComputedStyle(find('.react-flow__viewport'));
    const { a, e, f } = new DOMMatrix(transform);
    return { zoom: a, x: e, y: f };
  }

  function mouse(target, type, x, y) {
    const init = { bubbles: true, cancelable: true, view: window, clientX: x, clientY: y, button: 0 };
    target.dispatchEvent(new MouseEvent(type, { ...init, buttons: type === 'mouseup' ? 0 : 1 }));
  }

  function wheel(factor) {
    const pane = find('.react-flow__pane');
    const { left, top, width, height } = pane.getBoundingClientRect();
    const at = { clientX: left + width / 2, clientY: top + height / 2 };
    const deltaY = -Math.log2(factor) / 0.002;
    pane.dispatchEvent(new WheelEvent('wheel', { bubbles: true, cancelable: true, view: window, deltaY, ...at }));
  }

  async function fps(each) {
    await frame();
    const start = performance.now();
    for (let count = 0; count < FRAMES; count++) {
      each(count);
      await frame();
    }
    return (1000 * FRAMES) / (performance.now() - start);
  }

  async function settled(tasks) {
    // Until no long task has ended for a second.
    for (;;) {
      const last = tasks.length ? Math.max(...tasks) : 0;
      const now = performance.now();
      await new Promise(resolve => setTimeout(resolve, 1000));
      if ((tasks.length ? Math.max(...tasks) : 0) === last && performance.now() - now < 1500) {
        return last;
      }
    }
  }

  async function pan() {
    const pane = find('.react-flow__pane');
    const box = pane.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    mouse(pane, 'mousedown', x, y);
    const result = await fps(count => {
      const turn = (count / FRAMES) * 2 * Math.PI;
      mouse(window, 'mousemove', x + 400 * Math.sin(turn), y + 250 * Math.sin(2 * turn));
    });
    mouse(window, 'mouseup', x, y);
    await frame();
    return result;
  }

  window.measureEditor = async path => {
    const tasks = [];
    new PerformanceObserver(list =>
      list.getEntries().forEach(entry => tasks.push(entry.startTime + entry.duration))
    ).observe({ entryTypes: ['longtask'] });
    const start = performance.now();
    void window.jupyterapp.commands.execute('docmanager:open', { path });
    while (!find('.react-flow__node')) {
      await frame();
    }
    await frame();
    const opened = performance.now() - start;
    const rest = Math.max(opened, (await settled(tasks)) - start);

    const fit = viewport().zoom;
    const far = await pan();
    const zoom = await fps(count => wheel(2 ** (count < FRAMES / 2 ? 1 / 12 : -1 / 12)));
    wheel(1 / viewport().zoom);
    await settled(tasks);
    const near = await pan();

    // One whose title is in view, and under nothing.
    const title = [...document.querySelectorAll('.mlwf-Canvas .mlwf-Node-title')].find(each => {
      const { left, top } = each.getBoundingClientRect();
      return document.elementFromPoint(left + 5, top + 5) === each;
    });
    const inside = title.closest('.react-flow__node');
    const box = title.getBoundingClientRect();
    const [x, y] = [box.left + 5, box.top + 5];
    mouse(inside, 'mousedown', x, y);
    const drag = await fps(count => mouse(window, 'mousemove', x + Math.min(count, 60), y + (count % 40)));
    const dropped = performance.now();
    mouse(window, 'mouseup', x + 60, y + 20);
    await frame();
    await frame();
    const drop = performance.now() - dropped;
    return { opened, rest, near, far, zoom, drag, drop, fit };
  };
})();
