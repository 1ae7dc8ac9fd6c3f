import { createContext, lazy, useContext, type ComponentType, type ReactNode } from 'react';

/** How often the view has been tried anew after a fault. */
export const AttemptContext = createContext(0);

/**
 * A view whose code is fetched when it is shown first. Where that fails, the next attempt fetches again: React.lazy
 * alone would keep the failure until the page is loaded anew.
 */
export function lazyView<Props extends object>(
  load: () => Promise<{ readonly default: ComponentType<Props> }>,
): (props: Props) => ReactNode {
  let View: ComponentType<Props> | null = null;
  let failedIn: number | null = null;
  return function LazyView(props: Props): ReactNode {
    const attempt = useContext(AttemptContext);
    if (View === null || (failedIn !== null && failedIn !== attempt)) {
      failedIn = null;
      View = lazy(() =>
        load().catch((error: unknown) => {
          failedIn = attempt;
          throw error;
        }),
      );
    }
    return <View {...props} />;
  };
}
