// Every test begins with the words of both languages fetched.

import { widget as en } from "../../shared/i18n/en.json";
import { widget as zh } from "../../shared/i18n/zh-CN.json";
import { learn } from "../src/app/i18n";

learn("zh-CN", zh);
learn("en", en);
