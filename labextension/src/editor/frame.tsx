import type { NodeProps } from '@xyflow/react';
import React from 'react';
import type { FrameNode } from './annotations';
import { useCanvas } from './context';

/** The frame of a group. Whoever takes it by its title has taken its steps. */
export function FrameView({ data }: NodeProps<FrameNode>): JSX.Element {
  const { editor } = useCanvas();
  return (
    <div className="mlwf-Frame" data-group={data.name}>
      <div
        className="mlwf-Frame-title"
        title={editor.trans.__('Drag to move the group')}
        onPointerDown={() => editor.select({ steps: data.steps })}
      >
        {data.title}
      </div>
    </div>
  );
}
