import { Component, type ReactNode } from 'react';

interface ViewBoundaryProps {
  /** What is shown, for the message: `The view Messages`. */
  readonly name: string;
  /** Where this changes, something else is shown, and a fault before it is forgotten. */
  readonly shows: string;
  readonly children: ReactNode;
}

/** Keeps a fault to the view that has it: the rest of the page stays, and the view can be tried again. */
export class ViewBoundary extends Component<ViewBoundaryProps, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error };
  }

  override componentDidUpdate(before: ViewBoundaryProps): void {
    if (before.shows !== this.props.shows && this.state.error !== null) this.setState({ error: null });
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <div className="pick" role="alert">
        {this.props.name} could not be shown: {error instanceof Error ? error.message : 'something unknown was thrown'}{' '}
        <button type="button" className="button small" onClick={() => this.setState({ error: null })}>
          Try again
        </button>
      </div>
    );
  }
}
