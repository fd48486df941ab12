// The category form in its order: each line a choice and the department it leads to.

import { Button, Input, Select } from "antd";
import { Plus } from "lucide-react";
import type { Category } from "../../../../shared/bindings/Category";
import { useT } from "../../i18n";
import { CATEGORIES_MAX, NAME_MAX, type Problems } from "./checks";
import { useDepartmentChoices } from "./choices";
import styles from "./Form.module.css";
import { moved, replaced, without } from "./lists";
import { MoveButtons } from "./MoveButtons";

interface CategoriesProps {
  categories: readonly Category[];
  /** Where a new line leads. */
  first: string;
  problems: Problems;
  onChange: (categories: Category[]) => void;
}

export function Categories({ categories, first, problems, onChange }: CategoriesProps) {
  const t = useT();
  const departments = useDepartmentChoices();
  return (
    <div className={styles.rows} data-lines>
      {categories.map((category, at) => {
        const problem = problems[`categories/${at}`];
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity but its place
          <div key={at}>
            <div className={styles.row}>
              <Input
                className={styles.grow ?? ""}
                value={category.name}
                maxLength={NAME_MAX}
                status={problem === undefined ? "" : "error"}
                placeholder={t("manage.category_name")}
                aria-label={t("manage.category_name")}
                data-testid={`category-name-${at}`}
                onChange={({ target }) =>
                  onChange(replaced(categories, at, { ...category, name: target.value }))
                }
              />
              <Select
                className={styles.grow ?? ""}
                options={departments}
                value={category.department_id}
                aria-label={t("manage.category_department")}
                data-testid={`category-department-${at}`}
                onChange={(department_id) =>
                  onChange(replaced(categories, at, { ...category, department_id }))
                }
              />
              <MoveButtons
                name={category.name}
                at={at}
                count={categories.length}
                onMove={(to) => onChange(moved(categories, at, to))}
                onRemove={() => onChange(without(categories, at))}
              />
            </div>
            {problem !== undefined && (
              <p className={styles.error} role="alert">
                {t(problem)}
              </p>
            )}
          </div>
        );
      })}
      {categories.length < CATEGORIES_MAX && (
        <div>
          <Button
            icon={<Plus size={15} aria-hidden="true" />}
            data-testid="category-add"
            onClick={() => onChange([...categories, { name: "", department_id: first }])}
          >
            {t("manage.category_add")}
          </Button>
        </div>
      )}
    </div>
  );
}
