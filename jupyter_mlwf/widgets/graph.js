// The DAG of a workflow with the states of its steps. Texts become text nodes and attributes, and nothing else.

const SVG = 'http://www.w3.org/2000/svg';
const LONGEST = { title: 22, said: 26 };

function create(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function short(text, longest) {
  const letters = Array.from(text);
  return letters.length <= longest ? text : letters.slice(0, longest - 1).join('') + '…';
}

function draw({ size, box, steps, lines }) {
  const [width, height] = size;
  const nodes = new Map();
  const svg = create('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'list' });
  for (const d of lines) {
    svg.append(create('path', { d, 'aria-hidden': 'true' }));
  }
  for (const [name, { at, title }] of Object.entries(steps)) {
    const [x, y] = at;
    const tip = create('title', {});
    const said = create('text', { x: x + 12, y: y + 37, class: 'mlwf-Live-said' });
    const heading = create('text', { x: x + 12, y: y + 20 }, short(title, LONGEST.title));
    const rect = create('rect', { x, y, width: box[0], height: box[1], rx: 6 });
    const node = create('g', { role: 'listitem', 'data-step': name }, tip, rect, heading, said);
    nodes.set(name, { node, tip, said });
    svg.append(node);
  }
  if (nodes.size === 0) {
    svg.append(create('text', { x: 12, y: 40, class: 'mlwf-Live-said' }, 'No steps yet'));
  }
  return { svg, nodes };
}

function render({ model, el }) {
  const caption = document.createElement('div');
  const canvas = document.createElement('div');
  const alert = document.createElement('div');
  let nodes = new Map();
  caption.setAttribute('role', 'status');
  alert.setAttribute('role', 'alert');
  el.classList.add('mlwf-Live');
  el.setAttribute('role', 'group');
  canvas.className = 'mlwf-Live-canvas';
  el.append(alert, caption, canvas);

  const onDrawing = () => {
    const drawn = draw(model.get('drawing'));
    nodes = drawn.nodes;
    canvas.replaceChildren(drawn.svg);
    onStates();
  };
  const onStates = () => {
    const { title, steps } = model.get('states');
    if (caption.textContent !== title) {
      caption.textContent = title;
      el.setAttribute('aria-label', title);
    }
    for (const [name, { state, said }] of Object.entries(steps)) {
      const found = nodes.get(name);
      if (found) {
        found.node.setAttribute('data-state', state);
        found.node.setAttribute('aria-label', `${name}: ${said}`);
        found.tip.textContent = `${name}: ${said}`;
        found.said.textContent = short(said, LONGEST.said);
      }
    }
  };
  const onProblems = () => {
    const lines = model.get('problems').map(text => {
      const line = document.createElement('div');
      line.textContent = text;
      return line;
    });
    alert.replaceChildren(...lines);
  };
  model.on('change:drawing', onDrawing);
  model.on('change:states', onStates);
  model.on('change:problems', onProblems);
  onDrawing();
  onProblems();
  return () => {
    model.off('change:drawing', onDrawing);
    model.off('change:states', onStates);
    model.off('change:problems', onProblems);
  };
}

export default { render };
