import { Component, type ReactNode } from 'react';
import { AttemptContext } from './lazy-view.tsx';

interface ViewBoundaryProps {
  /** What is shown, for the message: `The view Messages`. */
  readonly name: string;
  /** Where this changes, something else is shown, and a fault before it is forgotten. */
  readonly shows: string;
  readonly children: ReactNode;
}

interface ViewBoundaryState {
  readonly error: unknown;
  readonly attempt: number;
}

/** Keeps a fault to the view that has it: the rest of the page stays, and the view can be tried again. */
export class ViewBoundary extends Component<ViewBoundaryProps, ViewBoundaryState> {
  override state: ViewBoundaryState = { error: null, attempt: 0 };

  static getDerivedStateFromError(error: unknown): Pick<ViewBoundaryState, 'error'> {
    return { error };
  }

  override componentDidUpdate(before: ViewBoundaryProps): void {
    if (before.shows !== this.props.shows && this.state.error !== null) this.#tryAgain();
  }

  #tryAgain(): void {
    this.setState(({ attempt }) => ({ error: null, attempt: attempt + 1 }));
  }

  override render(): ReactNode {
    const { error, attempt } = this.state;
    if (error === null) return <AttemptContext value={attempt}>{this.props.children}</AttemptContext>;
    return (
      <div className="pick" role="alert">
        {this.props.name} could not be shown: {error instanceof Error ? error.message : 'something unknown was thrown'}{' '}
        <button type="button" className="button small" onClick={() => this.#tryAgain()}>
          Try again
        </button>
      </div>
    );
  }
}
