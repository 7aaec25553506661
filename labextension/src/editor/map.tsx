import { Panel, useReactFlow, useStore } from '@xyflow/react';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { PointerEvent } from 'react';
import React, { memo, useMemo } from 'react';
import { NODE_WIDTH } from '../model/geometry';
import type { StepNode } from './node';

const WIDTH = 150;
const HEIGHT = 90;

/**
 * The whole graph in a corner, and what part of it is in view; a click or a drag brings another part into view.
 * All steps are one line, and only the frame moves with the view: React Flow's own map looks at every step for
 * each frame.
 */
export const WorkflowMap = memo(function WorkflowMap(props: {
  nodes: readonly StepNode[];
  trans: TranslationBundle;
}): JSX.Element {
  const { nodes, trans } = props;
  const flow = useReactFlow();
  const [all, selected, bounds] = useMemo(() => draw(nodes), [nodes]);
  const { left, top, scale } = bounds;
  const go = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = left + (event.clientX - box.left) / scale;
    const y = top + (event.clientY - box.top) / scale;
    void flow.setCenter(x, y, { zoom: flow.getZoom() });
  };
  return (
    <Panel position="bottom-right" className="react-flow__minimap">
      <div
        className="mlwf-Map"
        role="img"
        aria-label={trans.__('Map of the workflow')}
        onPointerDown={event => {
          event.currentTarget.setPointerCapture(event.pointerId);
          go(event);
        }}
        onPointerMove={event => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) {
            go(event);
          }
        }}
      >
        <svg width={WIDTH} height={HEIGHT}>
          <g transform={`scale(${scale}) translate(${-left} ${-top})`}>
            <path d={all} />
            <path d={selected} className="mlwf-mod-selected" />
          </g>
        </svg>
        <Frame bounds={bounds} />
      </div>
    </Panel>
  );
});

interface IBounds {
  left: number;
  top: number;
  /** Pixels of the map for each of the graph. */
  scale: number;
}

/** What is in view. */
function Frame({ bounds }: { bounds: IBounds }): JSX.Element {
  const [x, y, zoom] = useStore(store => store.transform);
  const width = useStore(store => store.width);
  const height = useStore(store => store.height);
  const { left, top, scale } = bounds;
  return (
    <div
      className="mlwf-Map-frame"
      style={{
        width: (width / zoom) * scale,
        height: (height / zoom) * scale,
        transform: `translate(${(-x / zoom - left) * scale}px, ${(-y / zoom - top) * scale}px)`
      }}
    />
  );
}

function draw(nodes: readonly StepNode[]): [string, string, IBounds] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  const lines = ['', ''];
  for (const { position, data, selected } of nodes) {
    const { x, y } = position;
    const { height } = data.view;
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + NODE_WIDTH);
    bottom = Math.max(bottom, y + height);
    lines[selected ? 1 : 0] +=
      `M${x} ${y}h${NODE_WIDTH}v${height}h${-NODE_WIDTH}z`;
  }
  // Room around, a tenth of the size on each side.
  const scale = Math.min(
    WIDTH / (1.2 * (right - left)),
    HEIGHT / (1.2 * (bottom - top))
  );
  return [
    lines[0],
    lines[1],
    {
      left: (left + right) / 2 - WIDTH / 2 / scale,
      top: (top + bottom) / 2 - HEIGHT / 2 / scale,
      scale
    }
  ];
}
