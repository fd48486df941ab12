// Catches what a component throws while drawing, so that a bug of ours shows a sentence and a way on
// instead of an empty window.

import { Component, type ReactNode } from "react";

interface BoundaryProps {
  /** What to show instead. */
  instead: ReactNode;
  children: ReactNode;
}

export class Boundary extends Component<BoundaryProps, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    return this.state.broken ? this.props.instead : this.props.children;
  }
}
