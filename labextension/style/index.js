import '@xyflow/react/dist/style.css';
import './canvas.css';
import './node.css';
import './inspector.css';
import './panel.css';
import './runs.css';
import './details.css';
import './releases.css';
